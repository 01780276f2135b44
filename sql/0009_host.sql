-- Works with the programs of schema 7: it only adds.
-- The hosts on which programs run, each written by its hongbao-settle. generation is the one with which all programs of
-- the host work, so that `hongbaoctl restored` knows when no host answers from before a restore.
CREATE TABLE IF NOT EXISTS host (
  name VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  beat_us BIGINT NOT NULL,
  generation BINARY(16) NOT NULL,
  PRIMARY KEY (name)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
