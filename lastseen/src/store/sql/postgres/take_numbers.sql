-- Takes away the numbers of nobody, and the rows of theirs with them, and gives them.
DELETE FROM {number} WHERE user_id IS NULL RETURNING number;
