"""`python -m xpu_doctor`: Scripts folders are often not on PATH."""

from xpu_doctor.cli.main import main

main()
