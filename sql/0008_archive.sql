-- Works with the programs of schema 7: it only adds. Archive nothing while such programs audit: they do not know what
-- was carried.
-- The files into which `hongbaoctl archive` has moved envelopes. Row 0 is no file: an archive locks it. The first
-- `bytes` of the file have this SHA-256; what follows them is of a run that was interrupted, and still in the
-- database. mac is HMAC-SHA-256 under the archive key over the other columns.
CREATE TABLE IF NOT EXISTS archive (
  number INT NOT NULL,
  begun_us BIGINT NOT NULL,
  before_us BIGINT NOT NULL,
  envelopes BIGINT NOT NULL,
  claims BIGINT NOT NULL,
  transfers BIGINT NOT NULL,
  sent_fen BIGINT NOT NULL,
  bytes BIGINT NOT NULL,
  sha256 BINARY(32) NOT NULL,
  mac BINARY(32) NOT NULL,
  PRIMARY KEY (number)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
INSERT IGNORE INTO archive (number, begun_us, before_us, envelopes, claims, transfers, sent_fen, bytes, sha256, mac)
  VALUES (0, 0, 0, 0, 0, 0, 0, 0, '', '');

-- The envelopes that are in a file, by its number.
CREATE TABLE IF NOT EXISTS archived (
  envelope_id BINARY(16) NOT NULL,
  number INT NOT NULL,
  PRIMARY KEY (envelope_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What the transfers of archived envelopes add to a balance, by account and by the day (its begin, at the site's
-- offset) on which they were booked: balance = carried + transfers that are left. first_entry, last_entry and
-- entry_sum are the lowest, the highest and the sum of their numbers. opened_shares, opened_fen and returned_fen are
-- those of the envelopes that the user sent on this day. mac is HMAC-SHA-256 under the archive key over the other
-- columns.
CREATE TABLE IF NOT EXISTS carried (
  user_id VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  day_us BIGINT NOT NULL,
  sends BIGINT NOT NULL,
  send_fen BIGINT NOT NULL,
  claims BIGINT NOT NULL,
  claim_fen BIGINT NOT NULL,
  refunds BIGINT NOT NULL,
  refund_fen BIGINT NOT NULL,
  first_entry BIGINT NOT NULL,
  last_entry BIGINT NOT NULL,
  entry_sum BIGINT NOT NULL,
  opened_shares BIGINT NOT NULL,
  opened_fen BIGINT NOT NULL,
  returned_fen BIGINT NOT NULL,
  mac BINARY(32) NOT NULL,
  PRIMARY KEY (user_id, day_us)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The archived envelopes that were sent to groups, by group and day, for reports.
CREATE TABLE IF NOT EXISTS carried_group (
  group_name VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  day_us BIGINT NOT NULL,
  envelopes BIGINT NOT NULL,
  sent_fen BIGINT NOT NULL,
  opened_shares BIGINT NOT NULL,
  opened_fen BIGINT NOT NULL,
  refunded_fen BIGINT NOT NULL,
  PRIMARY KEY (group_name, day_us)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
