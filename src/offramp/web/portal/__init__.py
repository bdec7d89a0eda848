"""The portal: pages for those who leave, and for those who answer for an organization."""
