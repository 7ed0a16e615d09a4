"""Commands of the main job."""
