"""What C++ and CUDA share: printers of loop nests and of the code of users in them, random numbers."""
