"""Bitrix24 by the REST methods of an incoming webhook; facts about them are the vendor's (b24-rest-docs)."""
