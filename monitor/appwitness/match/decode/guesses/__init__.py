"""What is tried until something readable comes out; it is asked last and proves nothing."""
