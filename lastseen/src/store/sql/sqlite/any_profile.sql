-- 1 where there is any profile at all, or else 0.
SELECT EXISTS (SELECT 1 FROM user_profile);
