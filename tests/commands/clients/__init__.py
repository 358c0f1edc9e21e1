"""Programs of the kind people really write; each asks for as many seconds as its argument says, then ends."""
