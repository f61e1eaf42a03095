"""The app in a real browser: the main job, every page, the log, and pages without scripts."""
