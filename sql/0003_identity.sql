-- User ids of up to 255 printable ASCII characters, groups of any UTF-8 text.
ALTER TABLE account MODIFY user_id VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL;
ALTER TABLE transfer MODIFY user_id VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL;
ALTER TABLE envelope
  MODIFY sender VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  MODIFY luckiest_user VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  MODIFY recipients TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL;
ALTER TABLE claim MODIFY user_id VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL;
ALTER TABLE credit MODIFY user_id VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL;
ALTER TABLE year_total MODIFY user_id VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL;
