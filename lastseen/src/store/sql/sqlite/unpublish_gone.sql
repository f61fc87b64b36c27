-- Takes those out of the feed of whom nothing is there any more. The rows stay: a gap would look like changes that were
-- missed.
UPDATE user_activity_feed SET user_id = NULL
WHERE kind <> 'forgotten'
    AND user_id NOT IN (SELECT user_id FROM user_activity)
    AND user_id NOT IN (SELECT user_id FROM user_profile);
