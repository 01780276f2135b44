-- Works with the programs of schema 4: it only adds.
-- oldest is the patch that programs need at least to work with the tables after this one; NULL: no others than
-- those that need this one. The statements are prepared, so that an existing column or key is no error.
SET @oldest = (SELECT CASE COUNT(*) WHEN 0
  THEN 'ALTER TABLE schema_version ADD COLUMN oldest INT NULL' ELSE 'DO 0' END
  FROM information_schema.columns
  WHERE table_schema = DATABASE() AND table_name = 'schema_version' AND column_name = 'oldest');
PREPARE oldest FROM @oldest;
EXECUTE oldest;
DEALLOCATE PREPARE oldest;
-- Finds the frozen envelopes, which are few.
SET @frozen = (SELECT CASE COUNT(*) WHEN 0
  THEN 'ALTER TABLE envelope ADD KEY envelope_frozen (frozen)' ELSE 'DO 0' END
  FROM information_schema.statistics
  WHERE table_schema = DATABASE() AND table_name = 'envelope' AND index_name = 'envelope_frozen');
PREPARE frozen FROM @frozen;
EXECUTE frozen;
DEALLOCATE PREPARE frozen;

-- The acts of operators: the operator, what (a command), subject (a user id or an envelope id), why, and the outcome.
-- Rows are never changed or deleted.
CREATE TABLE IF NOT EXISTS act (
  id BINARY(16) NOT NULL,
  at_us BIGINT NOT NULL,
  operator_name VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  what VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  subject VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  why VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  outcome VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  PRIMARY KEY (id),
  KEY act_subject (subject, id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Users with rules of their own. blocked: may neither send nor grab nor open. sent_per_day_fen: NULL: the
-- setting of that name.
CREATE TABLE IF NOT EXISTS user_rule (
  user_id VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  blocked TINYINT NOT NULL DEFAULT 0,
  sent_per_day_fen BIGINT NULL,
  PRIMARY KEY (user_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
