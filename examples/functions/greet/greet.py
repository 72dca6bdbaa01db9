"""A Lambda function for the README's tour."""

import os


def handler(event, context):
    return {"greeting": f"{os.environ.get('GREETING', 'Hi')}, {event.get('name', 'you')}!"}
