"""Works for a while without torch."""

import time

end = time.monotonic() + 3
numbers = list(range(5000))
while time.monotonic() < end:
    numbers.sort(key=lambda number: -number)
