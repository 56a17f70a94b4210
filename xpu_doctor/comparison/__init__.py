"""What differs between two or more snapshots, most telling first: pure, without files and without pages."""
