"""Random seed of this run. Set HONGBAO_SEED to repeat an earlier run."""
import os
import random

SEED = int(os.environ.get("HONGBAO_SEED", random.randrange(1 << 32)))
