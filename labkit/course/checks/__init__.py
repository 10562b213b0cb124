"""Whether a task of the course is done: asked of the cloud itself, however its state came about."""
