"""The sentences that answers are made of, split into tokens once. ASCII, and nothing that JSON would have to escape."""

_TEXT = """
The short answer is yes, with one condition that is easy to overlook.
Start with the part you already understand and write it down in your own words.
A good first draft is short, plain and a little too honest.
Three things matter here: the order, the size and the time each step takes.
If the numbers do not add up, check the units before you check the formula.
Most people skip this step, and most people come back to it later.
Here is one way to say the same thing in fewer words.
The recipe works with oat milk too, although the crust will be softer.
Water boils at a lower temperature up in the mountains, so plan for a longer wait.
You could also ask a colleague to read it aloud, because the ear finds what the eye forgives.
The battle was decided by supply lines rather than by courage.
Keep the subject and the verb close together and the sentence will carry itself.
In practice the second option costs less and fails in simpler ways.
A list of five items is remembered better than a list of nine.
The function returns early when its input is empty, which is what you want.
Try the smallest example that still shows the problem.
Prices rose for two years and then settled at a new level.
Photosynthesis turns light, water and air into sugar and oxygen.
Write the test first, watch it fail, and only then write the code.
The train leaves at nine, so be at the platform ten minutes before.
An essay needs one claim, and every paragraph has to earn its place beside it.
Most of the delay comes from waiting, and only a little of it from work.
Cook the onions slowly until they are golden, then add the rice.
There are exceptions, but they are rare and easy to recognise.
Both answers are correct; they start from different assumptions.
The river bends twice before it reaches the old town.
Use a table when readers compare, and a sentence when they follow.
It helps to name the fear, since a named thing can be planned for.
Multiply both sides by four and the fraction disappears.
The moon is moving away from us by a few centimetres every year.
Pack light, carry water and tell someone when you expect to be back.
A second opinion is cheap compared with a second attempt.
The poem is about leaving, although it never uses the word.
Remember to save a copy before you change anything.
Half of the budget went into the first month, which explains the rest.
The dog sleeps through thunder and wakes at the sound of a fridge door.
Ask what would change your mind, and then go and look for it.
Backups are only as good as the last time someone restored one.
Read the error from the bottom up; the last line is the first clue.
With a little patience the dough will do most of the work for you.
"""

SENTENCES: tuple[tuple[str, ...], ...] = tuple(
    tuple(f" {word}" for word in line.split()) for line in _TEXT.strip().splitlines()
)
