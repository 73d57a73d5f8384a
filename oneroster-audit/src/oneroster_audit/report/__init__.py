"""What people read: the page, the text, and the JSON. All are made from the store alone."""
