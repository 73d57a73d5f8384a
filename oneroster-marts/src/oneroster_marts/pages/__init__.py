"""Pages of the marts: one file each, without script and without request, made from what a build wrote and nothing else."""
