"""What chance starts from in this run; HONGBAO_SEED repeats an earlier one."""
import os
import random

SEED = int(os.environ.get("HONGBAO_SEED", random.randrange(1 << 32)))
