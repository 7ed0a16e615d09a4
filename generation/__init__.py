"""The main job: a photo goes in, a 3D model comes out."""
