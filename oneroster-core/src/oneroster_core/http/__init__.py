"""HTTP as a careful client speaks it: authentication, pace, retries, and what is known of vendors."""
