"""What a brand puts before people: the question of its sites, its look, its addresses, its words."""
