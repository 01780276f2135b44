-- Amounts are BIGINT fen, times BIGINT microseconds UTC since 1970, ids 16 bytes made by the program
-- (UUIDv7: they begin with their time). No trigger, procedure, foreign key or AUTO_INCREMENT: one engine
-- is like another. Statements end with a semicolon at the end of a line.

-- Users with money. Envelopes and the outside world are accounts without a row.
CREATE TABLE IF NOT EXISTS account (
  user_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  name VARCHAR(32) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  balance_fen BIGINT NOT NULL,
  sent_day BIGINT NOT NULL DEFAULT 0,
  sent_day_fen BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (user_id),
  CONSTRAINT account_balance CHECK (balance_fen >= 0)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The ledger: each row moves an amount between a user and the outside world (kinds 1 top-up,
-- 2 withdrawal) or between a user and an envelope (3 send, 4 claim, 5 refund). ref is the reference,
-- or the envelope's id, with seq (4 bytes) for a claim. Never dropped.
CREATE TABLE IF NOT EXISTS transfer (
  user_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  id BINARY(16) NOT NULL,
  kind TINYINT NOT NULL,
  ref VARBINARY(64) NOT NULL,
  amount_fen BIGINT NOT NULL,
  at_us BIGINT NOT NULL,
  balance_fen BIGINT NULL,
  PRIMARY KEY (user_id, id),
  UNIQUE KEY transfer_ref (ref, kind),
  CONSTRAINT transfer_amount CHECK (amount_fen > 0)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS envelope (
  id BINARY(16) NOT NULL,
  sender VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  sender_name VARCHAR(32) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  mode TINYINT NOT NULL,
  total_fen BIGINT NOT NULL,
  shares INT NOT NULL,
  cap_fen BIGINT NOT NULL,
  greeting VARCHAR(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  to_kind TINYINT NOT NULL,
  recipients TEXT CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  state TINYINT NOT NULL,
  opened_shares INT NOT NULL,
  opened_fen BIGINT NOT NULL,
  refunded_fen BIGINT NOT NULL,
  created_us BIGINT NOT NULL,
  expires_us BIGINT NOT NULL,
  closed_us BIGINT NOT NULL,
  seed_hash BINARY(32) NOT NULL,
  seed BINARY(32) NULL,
  luckiest_seq INT NOT NULL,
  luckiest_fen BIGINT NOT NULL,
  luckiest_user VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  luckiest_name VARCHAR(32) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  version BIGINT NOT NULL,
  PRIMARY KEY (id),
  KEY envelope_sender (sender, id),
  CONSTRAINT envelope_sums CHECK (opened_shares >= 0 AND opened_shares <= shares
    AND opened_fen >= 0 AND refunded_fen >= 0 AND opened_fen + refunded_fen <= total_fen)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The secret seeds, one for every open envelope and for no other: closing moves it into the envelope.
CREATE TABLE IF NOT EXISTS seed (
  envelope_id BINARY(16) NOT NULL,
  expires_us BIGINT NOT NULL,
  seed BINARY(32) NOT NULL,
  PRIMARY KEY (envelope_id),
  KEY seed_expires (expires_us)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS claim (
  envelope_id BINARY(16) NOT NULL,
  user_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  name VARCHAR(32) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  amount_fen BIGINT NOT NULL,
  seq INT NOT NULL,
  opened_us BIGINT NOT NULL,
  PRIMARY KEY (envelope_id, user_id),
  UNIQUE KEY claim_seq (envelope_id, seq),
  CONSTRAINT claim_amount CHECK (amount_fen > 0)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Claims whose money has not reached its account yet. lane: hash of the user, 0..15.
CREATE TABLE IF NOT EXISTS credit (
  user_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  envelope_id BINARY(16) NOT NULL,
  lane TINYINT NOT NULL,
  seq INT NOT NULL,
  amount_fen BIGINT NOT NULL,
  opened_us BIGINT NOT NULL,
  attempts INT NOT NULL DEFAULT 0,
  not_before_us BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (user_id, envelope_id),
  KEY credit_largest (lane, amount_fen),
  KEY credit_oldest (lane, opened_us)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- One row a lane: whoever locks it books that lane's credits.
CREATE TABLE IF NOT EXISTS lane (
  lane TINYINT NOT NULL,
  PRIMARY KEY (lane)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
INSERT IGNORE INTO lane (lane) VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9),(10),(11),(12),(13),(14),(15);

-- Closed envelopes that the yearly totals do not hold yet.
CREATE TABLE IF NOT EXISTS closing (
  envelope_id BINARY(16) NOT NULL,
  PRIMARY KEY (envelope_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Sent and refunded are counted when an envelope has closed, received when a claim is credited.
CREATE TABLE IF NOT EXISTS year_total (
  user_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  year INT NOT NULL,
  sent_count BIGINT NOT NULL DEFAULT 0,
  sent_fen BIGINT NOT NULL DEFAULT 0,
  refunded_fen BIGINT NOT NULL DEFAULT 0,
  received_count BIGINT NOT NULL DEFAULT 0,
  received_fen BIGINT NOT NULL DEFAULT 0,
  luckiest_count BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (user_id, year)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS idempotency (
  key_hash BINARY(32) NOT NULL,
  body_hash BINARY(32) NOT NULL,
  ref BINARY(16) NOT NULL,
  created_us BIGINT NOT NULL,
  PRIMARY KEY (key_hash),
  KEY idempotency_created (created_us)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Rows that processes write only to know that everything before is durable.
CREATE TABLE IF NOT EXISTS barrier (
  slot SMALLINT NOT NULL,
  passes BIGINT NOT NULL,
  PRIMARY KEY (slot)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
INSERT IGNORE INTO barrier (slot, passes) VALUES (0,0),(1,0),(2,0),(3,0),(4,0),(5,0),(6,0),(7,0),(8,0),(9,0),(10,0),(11,0),(12,0),(13,0),(14,0),(15,0),(16,0),(17,0),(18,0),(19,0),(20,0),(21,0),(22,0),(23,0),(24,0),(25,0),(26,0),(27,0),(28,0),(29,0),(30,0),(31,0);

-- One row: the generation, made anew whenever the database was set back in time.
CREATE TABLE IF NOT EXISTS meta (
  one TINYINT NOT NULL,
  generation BINARY(16) NOT NULL,
  PRIMARY KEY (one)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Every transfer as its two postings; over any transfer they sum to zero.
CREATE OR REPLACE VIEW posting AS
  SELECT t.user_id AS owner, t.id AS journal_id, t.user_id AS account,
    CASE WHEN t.kind IN (2, 3) THEN -t.amount_fen ELSE t.amount_fen END AS amount_fen, t.at_us
  FROM transfer t
  UNION ALL
  SELECT t.user_id AS owner, t.id AS journal_id,
    CASE WHEN t.kind IN (1, 2) THEN '*world' ELSE CONCAT('*e:', LOWER(HEX(LEFT(t.ref, 16)))) END AS account,
    CASE WHEN t.kind IN (2, 3) THEN t.amount_fen ELSE -t.amount_fen END AS amount_fen, t.at_us
  FROM transfer t;
