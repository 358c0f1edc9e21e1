"""What people noticed in a drill, against what was wrong."""

from mockbot.evidence.drill_times import DrillNote, DrillOutage, drill_result


def note(t: float, kind: str) -> DrillNote:
    return DrillNote(t, kind, "")


def test_the_first_note_of_a_kind_in_an_outage_counts() -> None:
    """Detected after 20 s, mitigated after 90, called over after 250; later ones of a kind change nothing."""
    notes = [note(120, "detected"), note(150, "detected"), note(190, "mitigated"), note(350, "over")]

    assert drill_result([(100, 300)], notes).outages == (DrillOutage(100, 300, 20, 90, 250),)


def test_a_detection_while_nothing_is_wrong_is_a_false_alarm() -> None:
    """Before the outage, or a second one long after it; the first one after it is late, and no false alarm."""
    early, late, again = note(50, "detected"), note(310, "detected"), note(900, "detected")
    result = drill_result([(100, 300)], [early, late, again])

    assert result.outages[0].detect == 210
    assert result.false_alarms == (early, again)


def test_faults_that_follow_each_other_are_one_outage() -> None:
    """Within a minute; a later one is another outage, with its own notes."""
    result = drill_result([(100, 200), (230, 300), (600, 700)], [note(110, "detected"), note(650, "detected")])

    assert [(each.begin, each.end, each.detect) for each in result.outages] == [(100, 300, 10), (600, 700, 50)]


def test_what_nobody_noticed_has_no_time() -> None:
    """No note at all."""
    assert drill_result([(100, 300)], []).outages == (DrillOutage(100, 300, None, None, None),)
