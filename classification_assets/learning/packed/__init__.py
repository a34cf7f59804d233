"""Networks of one shape, trained in packs."""

import os

# On some processors (AMD's, and Intel's without AVX-512) MKL otherwise takes the kernel that suits where in memory a
# factor happens to lie, and a member would be rounded in another way beside others than alone. MKL looks once, at its
# first product; a person's own choice stays.
os.environ.setdefault("MKL_CBWR", "AUTO")
