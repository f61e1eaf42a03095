"""Pure rules of organising: values in, frozen values out; the standard library only."""
