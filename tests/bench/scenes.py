"""All scenes, in the order of the table. Scenes marked apart run only with --scene."""
import scenes_closed
import scenes_flow
import scenes_growth
import scenes_latency
import scenes_memory
import scenes_money
import scenes_pages
import scenes_peers
import scenes_rates
import scenes_trouble

ALL = (*scenes_closed.SCENES, *scenes_rates.SCENES, *scenes_latency.SCENES, *scenes_flow.SCENES, *scenes_pages.SCENES,
       *scenes_money.SCENES, *scenes_trouble.SCENES, *scenes_memory.SCENES, *scenes_peers.SCENES, *scenes_growth.SCENES)
