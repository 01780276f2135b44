-- Works with the programs of schema 4: it only adds, and every column has a default.
-- theme: the cover that the sender chose: 0 plain, 1 new year, 2 birthday, 3 wedding, 4 thanks, 5 company. closed_by: 0 open, or
-- closed by a program that did not store it; 1 claims, 2 deadline, 3 sender, 4 operator. The statements are prepared, so that an
-- existing column is no error.
SET @patch = (SELECT CASE COUNT(*) WHEN 0
  THEN 'ALTER TABLE envelope ADD COLUMN theme TINYINT NOT NULL DEFAULT 0, ADD COLUMN closed_by TINYINT NOT NULL DEFAULT 0' ELSE 'DO 0' END
  FROM information_schema.columns
  WHERE table_schema = DATABASE() AND table_name = 'envelope' AND column_name = 'closed_by');
PREPARE patch FROM @patch;
EXECUTE patch;
DEALLOCATE PREPARE patch;
-- thanks: 0 none, 1 thanks, 2 hug, 3 luck, 4 cheers, 5 wow.
SET @patch = (SELECT CASE COUNT(*) WHEN 0
  THEN 'ALTER TABLE claim ADD COLUMN thanks TINYINT NOT NULL DEFAULT 0' ELSE 'DO 0' END
  FROM information_schema.columns
  WHERE table_schema = DATABASE() AND table_name = 'claim' AND column_name = 'thanks');
PREPARE patch FROM @patch;
EXECUTE patch;
DEALLOCATE PREPARE patch;
