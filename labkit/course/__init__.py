"""What the course makes in a cloud: where a task begins, what a notebook builds, and how all of it goes again."""
