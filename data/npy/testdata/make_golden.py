"""Writes the .npy files of this folder with numpy 2.4.6. Run: python make_golden.py"""
import os

import numpy as np
from numpy.lib import format

os.chdir(os.path.dirname(os.path.abspath(__file__)))
grid = np.array([[1, -2.5], [3e-8, 4], [0, 1e30]])
np.save("float32.npy", grid.astype("<f4"))
np.save("float64.npy", grid)
np.save("int32.npy", np.array([101, -7, 2**31 - 1], "<i4"))
np.save("empty.npy", np.zeros((0, 74), "<f4"))
np.save("fortran.npy", np.asfortranarray(grid))
np.save("bigendian.npy", grid.astype(">f4"))
np.save("structured.npy", np.zeros(2, [("a", "<f4"), ("b", "<i4")]))
with open("version2.npy", "wb") as f:
    format.write_array(f, grid.astype("<f4"), version=(2, 0))
