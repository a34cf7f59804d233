"""What starts runs by itself: schedules, sensors, and how they know that something has changed."""
