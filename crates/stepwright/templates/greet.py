def handler(event, context):
    print("greeting", event["name"])
    return {"greeting": f"Hello, {event['name']}!"}
