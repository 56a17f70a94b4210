"""Rules of the device layer, in the order in which they are judged."""

from xpu_doctor.rule import Rule

RULES: tuple[type[Rule], ...] = ()
