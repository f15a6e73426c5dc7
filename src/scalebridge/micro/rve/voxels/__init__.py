"""What a voxel can hold beside one law as it is: a law turned, a laminate of two, a law kept plane."""
