"""Questions asked of many trajectories."""
