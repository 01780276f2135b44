"""All scenes, in the order of the table."""
import scenes_rates

ALL = (*scenes_rates.SCENES,)
