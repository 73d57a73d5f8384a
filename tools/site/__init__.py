"""What the site of docs/ takes from the code, made while it is built."""
