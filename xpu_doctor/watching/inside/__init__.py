"""What runs inside the Pythons of a watched program: standard library only, Python 3.8 and later.

`sitecustomize.py` is loaded by every Python that finds this folder on PYTHONPATH, `recorder.py` only by those that import torch.
Neither is ever imported by the doctor, and neither may change what the program does.
"""
