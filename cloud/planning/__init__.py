"""What people do to a patient's plan: limits of their own, when they measure, pauses, programme, heightened period."""
