"""What a run tells other people's tools while it is played: spans, metrics, messages. It decides nothing."""
