"""What other rules would answer: differences of two sets, and recorded decisions asked again. Pure."""
