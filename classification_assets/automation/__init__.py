"""Runs that start by themselves: schedules, sensors, and how they know that something has changed."""
