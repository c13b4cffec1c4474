"""What commits: each job reads, lets the steps decide, and writes, in transactions of its own."""
