-- An envelope whose books do not agree is frozen: the number of the broken rule, 0 for none. Nothing
-- of it is opened, credited or refunded until `hongbaoctl unfreeze`. Prepared, so that a column that
-- is there already is no error.
SET @freeze = (SELECT CASE COUNT(*) WHEN 0
  THEN 'ALTER TABLE envelope ADD COLUMN frozen TINYINT NOT NULL DEFAULT 0' ELSE 'DO 0' END
  FROM information_schema.columns
  WHERE table_schema = DATABASE() AND table_name = 'envelope' AND column_name = 'frozen');
PREPARE freeze FROM @freeze;
EXECUTE freeze;
DEALLOCATE PREPARE freeze;
