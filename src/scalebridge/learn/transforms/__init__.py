"""What is known of a response, as transforms that any learner takes."""
