"""What our own code says of its work to whoever watches a site: facts for logs, figures, and traces.

The ground floor: everybody may import it, it knows nobody. It costs next to nothing until it is switched on, and cannot
carry anybody's data: ``facts`` says what passes. ``modelmyimage`` decides where all of it goes.
"""
