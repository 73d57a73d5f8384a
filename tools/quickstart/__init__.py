"""What the quick start needs beside the plugins: a summary that counts, and a loader that can."""
