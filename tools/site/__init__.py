"""Parts of the site of docs/ that are generated from the code during the build."""
