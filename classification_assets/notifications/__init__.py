"""Notifications of failures and of decisions, by webhook and by e-mail."""
