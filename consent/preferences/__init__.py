"""What people volunteer: channels, frequency, quiet hours, answers to a brand's own questions."""
